import { expect } from 'chai';
import { blobExpiry, blobRef, parseBlobRef } from './blobRef.ts';

const userId = '00000000-0000-4000-8000-000000000001';
const id = '0198c5a1-7c2e-7d3f-9b1a-2f6c8e4d5a70';
const expiresAt = Date.parse('2026-12-03T00:00:00Z');

describe('references of blobs', () => {
  it('say when the blob expires and whose it is', () => {
    const ref = blobRef({ expiresAt, userId, id });
    expect(ref).to.equal(`2026-12-03/${userId}/${id}`);
    expect(parseBlobRef(ref)).to.deep.equal({ expiresAt, userId, id });
  });

  for (const wrong of [
    '',
    'somewhere',
    `2026-12-03/${userId}`,
    `2026-12-03/${userId}/${id}/more`,
    `2026-12-03/${userId}/../../${id}`,
    `2026-02-30/${userId}/${id}`,
    `2026-13-01/${userId}/${id}`,
    `2026-12-03/${userId.toUpperCase().replace('0', 'A')}/${id}`,
    ` 2026-12-03/${userId}/${id}`,
    `2026-12-03/${userId}/${id}\n`,
  ]) {
    it(`${JSON.stringify(wrong)} is none`, () => {
      expect(parseBlobRef(wrong)).to.equal(undefined);
    });
  }

  it('keep a blob for the days asked for, to the midnight that follows', () => {
    const noon = Date.parse('2026-11-26T12:00:00Z');
    expect(blobExpiry(noon, 7)).to.equal(Date.parse('2026-12-04T00:00:00Z'));
    expect(blobExpiry(Date.parse('2026-11-26T00:00:00Z'), 7)).to.equal(expiresAt);
  });
});
