/** Why a test fails here. */

/** There is no sandbox to test against. The message says what to do. */
export class NotStarted extends Error {
  override name = 'NotStarted';
}

/** The bot under test ended while the test went on. */
export class BotEnded extends Error {
  override name = 'BotEnded';
}

/** The user saw an error in place of an answer. */
export class BotDidNotAnswer extends Error {
  override name = 'BotDidNotAnswer';
}

/** No message of a bot came in time, or one came that should not. */
export class NotHeard extends Error {
  override name = 'NotHeard';
}

/** Nothing in the log was what the test waited for. */
export class NotSeen extends Error {
  override name = 'NotSeen';
}
