/**
 * Why the blob store did not do what it was asked: it has no such blob (for this user, any more), the blob is larger than was
 * allowed, or the store does not answer, refuses or fails.
 */
export type BlobProblem = 'not-found' | 'too-large' | 'unavailable';

export class BlobError extends Error {
  override readonly name = 'BlobError';
  readonly problem: BlobProblem;

  constructor(problem: BlobProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

/** An error of the S3 library in our words; what is one of ours already stays as it is. */
export function blobErrorOf(error: unknown): BlobError {
  if (error instanceof BlobError) return error;
  const { name = 'Error', message = String(error) } = error as Partial<Error>;
  if (name === 'NoSuchKey') return new BlobError('not-found', 'The store has no such blob', { cause: error });
  const said = message === '' || message === 'UnknownError' ? name : `${name}: ${message}`;
  return new BlobError('unavailable', `The blob store did not do it: ${said}`, { cause: error });
}
