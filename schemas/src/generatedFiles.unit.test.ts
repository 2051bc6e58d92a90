import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { generatedFolders } from '../scripts/generatedFiles.ts';

describe('what is generated from the contract', () => {
  for (const folder of generatedFolders()) {
    it(`is fresh in ${folder.url.pathname.split('/').slice(-3).join('/')}`, () => {
      const checkedIn = readdirSync(folder.url).filter(folder.owns);
      expect(checkedIn, 'run `make generate`').to.have.members([...folder.files.keys()]);
      for (const [name, text] of folder.files) {
        expect(readFileSync(new URL(name, folder.url), 'utf8'), `${name}: run \`make generate\``).to.equal(text);
      }
    });
  }
});
