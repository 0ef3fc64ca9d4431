/** The set-up cannot go on. The message is one paragraph that says what is wrong and what to do about it. */
export class SetupError extends Error {}
