/** What went wrong, for programs: a stable word beside the message for people. */
export type ErrorCode =
  | 'shape' // shapes or element types that do not fit where an operator is written
  | 'graph' // a graph that cannot be built, differentiated, written or read
  | 'engine' // ONNX Runtime refused or failed
  | 'provider' // the execution provider is not there
  | 'data' // a data set, picture or annotation
  | 'weights' // a checkpoint or its fit to the model
  | 'model' // an unknown model or recipe
  | 'config' // settings that do not fit
  | 'io' // reading or writing files
  | 'network' // a download that the server or the way to it does not let through
  | 'diverged' // a loss that is no longer finite
  | 'aborted'; // stopped by the caller

/**
 * Every error that boxwright raises on purpose. The message names the place (file, line or index), what was found, what
 * was expected, and what to do about it.
 */
export class BoxwrightError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BoxwrightError';
    this.code = code;
  }
}

/** What the operating system answered, such as `ENOENT`; undefined for errors of other origin, mistakes in a program among them. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && !(error instanceof BoxwrightError) && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E(?!RR_)/.test(code) ? code : undefined; // Node's own begin with ERR_
}
