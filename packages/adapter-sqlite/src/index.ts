export {
  StateBusyError,
  StateClosedError,
  StateDiskError,
  StateFileError,
  StateReadOnlyError,
  StateRecordError,
  StateVersionError,
} from './errors.ts';
export { type SqliteState, type SqliteStateOptions, sqliteState } from './sqlite-state.ts';
