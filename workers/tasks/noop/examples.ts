export const accepted = [
  {},
  { echo: { deep: [1, null, 'x'] } },
  { echo: null, sleepMs: 0.5 },
  { sleepMs: 86_400_000, fail: 'HTTP_STATUS', failTimes: 2 },
  { anything: 'else', goes: [true] },
];

export const refused = [
  null,
  [],
  'text',
  { sleepMs: -1 },
  { sleepMs: '10' },
  { sleepMs: 86_400_001 },
  { fail: 'lower_case' },
  { fail: '' },
  { failTimes: 1.5 },
  { failTimes: -1 },
];
