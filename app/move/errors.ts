/** The move cannot go on; the message is for whoever runs it, and holds a line for each reason. Writes go on at the source. */
export class MoveError extends Error {
  override readonly name: string = 'MoveError';
}

/** As that, but writes are still paused: run it again, or take it back. */
export class WritesPaused extends MoveError {
  override readonly name = 'WritesPaused';
}

/** The copy is not as the source: it is thrown away, and the next run makes another. */
export class CopyDiffers extends MoveError {
  override readonly name = 'CopyDiffers';
}
