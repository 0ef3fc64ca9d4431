#!/usr/bin/env node
import { describeError, isKillswitchError } from '@agent-killswitch/core';
import { UsageError, usage } from './cli/arguments.ts';
import { exportRecords } from './cli/export-records.ts';
import { parseCommand } from './cli/parse-command.ts';
import { verifyRecord } from './cli/verify-record.ts';

/** 0: all is well; 1: the record was changed; 2: the command makes no sense; 3: it could not be done. */
try {
  const command = parseCommand(process.argv.slice(2), process.env);
  process.exitCode = command.name === 'verify' ? await verifyRecord(command) : await exportRecords(command);
} catch (error) {
  process.stderr.write(`agent-killswitch-audit: ${describeError(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(usage);
  process.exitCode = error instanceof UsageError || isKillswitchError(error, 'invalid-input') ? 2 : 3;
}
