import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { discoverTasks, tasksFolder } from './discoverTasks.ts';
import { publishedSchema } from './publishedSchema.ts';

interface Examples {
  accepted: unknown[];
  refused: unknown[];
}

const definitions = await discoverTasks();

describe('the task types in workers/tasks', () => {
  it('are found by their folders', () => {
    expect(definitions.map(({ type }) => type)).to.include.members(['http_request', 'noop', 'web_scrape']);
  });

  for (const definition of definitions) {
    describe(definition.type, () => {
      const folder = path.join(tasksFolder, definition.type);
      let examples: Examples;
      before(async () => {
        examples = (await import(pathToFileURL(path.join(folder, 'examples.ts')).href)) as Examples;
      });
      const compile = (schema: object) => new Ajv2020({ allowUnionTypes: true }).compile(schema);

      it('has a README that names its own error codes', () => {
        const readme = readFileSync(path.join(folder, 'README.md'), 'utf8');
        expect(readme).to.contain(`# ${definition.type}\n`);
        for (const code of Object.keys(definition.errors ?? {})) expect(readme).to.contain(code);
      });

      it('publishes a payload schema that takes what the type takes', () => {
        const valid = compile(publishedSchema(definition.payload, 'input'));
        expect(examples.accepted).to.have.length.above(0);
        for (const payload of examples.accepted) {
          expect(definition.payload.safeParse(payload).error, JSON.stringify(payload)).to.equal(undefined);
          expect(valid(payload), `${JSON.stringify(payload)}: ${JSON.stringify(valid.errors)}`).to.equal(true);
        }
      });

      it('publishes a payload schema that refuses what the type refuses', () => {
        const valid = compile(publishedSchema(definition.payload, 'input'));
        expect(examples.refused).to.have.length.above(0);
        for (const payload of examples.refused) {
          expect(definition.payload.safeParse(payload).success, `the type takes ${JSON.stringify(payload)}`).to.equal(
            false,
          );
          expect(valid(payload), `the published schema takes ${JSON.stringify(payload)}`).to.equal(false);
        }
      });

      it('publishes a result schema that compiles', () => {
        expect(compile(publishedSchema(definition.result, 'output'))).to.be.a('function');
      });
    });
  }
});
