import { describeError, isKillswitchError } from '@agent-killswitch/core';
import { openDatabase } from '../../src/open-database.ts';
import { migrations } from '../../src/schema.ts';

/** Opens a file with further migrations, and says which version it has then or why it could not. */
const [file = '', ...further] = process.argv.slice(2);
try {
  const { database } = openDatabase(file, 5_000, [...migrations, ...further]);
  console.log(database.prepare('PRAGMA user_version').get()?.user_version);
  database.close();
} catch (error) {
  console.log(isKillswitchError(error) ? error.code : describeError(error));
}
