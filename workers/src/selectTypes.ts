import { ConfigError } from '@taskflow/service/config';
import type { AnyTaskDefinition } from './defineTask.ts';
import type { SlotSetting } from './settings.ts';

const DEFAULT_SLOTS = 64;

/** The types that this process runs: those asked for, or all, without the ones for tests where these are switched off. */
export function selectTypes(
  definitions: readonly AnyTaskDefinition[],
  config: { readonly taskTypes: readonly string[]; readonly testTypes: boolean },
): AnyTaskDefinition[] {
  const usable = definitions.filter(({ testOnly }) => config.testTypes || !testOnly);
  const unknown = config.taskTypes.find((type) => !usable.some((definition) => definition.type === type));
  if (unknown !== undefined) {
    const known = usable.map(({ type }) => type).join(', ');
    throw new ConfigError(`TASKFLOW_TASK_TYPES names ${unknown}; this worker has ${known}`);
  }
  return config.taskTypes.length === 0 ? usable : usable.filter(({ type }) => config.taskTypes.includes(type));
}

/** Slots of a type: as set for it, as set for every type, as its definition says, 64. */
export function slotsOf(definition: AnyTaskDefinition, setting: SlotSetting): number {
  return setting.byType.get(definition.type) ?? setting.everyType ?? definition.slots ?? DEFAULT_SLOTS;
}
