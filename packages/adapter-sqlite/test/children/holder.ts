import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';

/** Holds the write lock of a file until it is told anything. */
const [file = ''] = process.argv.slice(2);
const database = new DatabaseSync(file);
database.exec('BEGIN IMMEDIATE');
console.log('held');
for await (const _ of createInterface({ input: process.stdin })) break;
database.exec('ROLLBACK');
database.close();
console.log('released');
process.exit();
