import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * The API key of the development account: as given, or one that is made at the first start and kept in the state folder,
 * so that a copied command works after a restart, too.
 */
export async function developmentKey(stateDir: string, given: string | undefined): Promise<string> {
  if (given) return given;
  const file = path.join(stateDir, 'dev-key');
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept.trim() !== '') return kept.trim();
  const key = `dev_${randomBytes(18).toString('base64url')}`;
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  return key;
}
