import { z } from 'zod';

/**
 * An http or https URL as payloads take it. A regular expression without flags, because that is all a published JSON Schema
 * can say; what it lets through and no URL parser takes fails in the worker, and addresses are checked when it connects.
 */
export const httpUrl = z
  .string()
  .max(2048)
  .regex(/^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^\s/?#\\]+[^\s]*$/, 'must be an http or https URL');
