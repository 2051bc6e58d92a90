/** The priorities of tasks, the most urgent first. Each has topics and a share group of its own. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;

export type Priority = (typeof PRIORITIES)[number];

export function isPriority(text: string): text is Priority {
  return (PRIORITIES as readonly string[]).includes(text);
}
