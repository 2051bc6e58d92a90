import { z } from 'zod';

const MAX_REASON_LENGTH = 500;

/** Why something is done by hand, for whoever reads the history. */
export const reason = z
  .string()
  .min(1)
  .max(MAX_REASON_LENGTH)
  .regex(/^[^\p{Cs}\0]+$/u, 'must not hold NUL or lone surrogates')
  .optional()
  .describe('Why, for whoever reads the history');

/** The body of a command on one thing; it may be left out. */
export const commandBody = z.strictObject({ reason }).meta({ id: 'Command', description: 'Why it is done' });

export const MAX_COMMAND_BYTES = 16_384;
