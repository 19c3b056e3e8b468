/** The move failed, and the source accepts writes. The message has one line per reason. */
export class MoveError extends Error {
  override readonly name: string = 'MoveError';
}

/** The move failed, and writes are still paused. Run it again, or roll it back. */
export class WritesPaused extends MoveError {
  override readonly name = 'WritesPaused';
}

/** The copy differs from the source. It is discarded, and the next run makes a new one. */
export class CopyDiffers extends MoveError {
  override readonly name = 'CopyDiffers';
}
