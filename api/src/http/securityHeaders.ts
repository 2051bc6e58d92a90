/**
 * Headers of every answer. Nothing that the api sends is meant to be run, framed or guessed at by a browser: results
 * hold text that strangers wrote.
 */
export const securityHeaders: readonly string[] = [
  'X-Content-Type-Options',
  'nosniff',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Referrer-Policy',
  'no-referrer',
  'Cache-Control',
  'no-store',
];
