import type { ClusterOptions } from '@taskflow/log/cluster';
import type { ConfigOf, kafkaSettings } from './settings.ts';

/** How to reach the brokers and log in there, for `connectCluster`. Throws where a mechanism is set without user or password. */
export function kafkaAccess(config: ConfigOf<typeof kafkaSettings>): Pick<ClusterOptions, 'brokers' | 'ssl' | 'sasl'> {
  const {
    brokers,
    kafkaTls: ssl,
    kafkaSaslMechanism: mechanism,
    kafkaUsername: username,
    kafkaPassword: password,
  } = config;
  if (mechanism === 'none') return { brokers, ssl };
  if (username === undefined || password === undefined) {
    throw new Error(
      `TASKFLOW_KAFKA_USERNAME and TASKFLOW_KAFKA_PASSWORD are required where TASKFLOW_KAFKA_SASL_MECHANISM is ${mechanism}`,
    );
  }
  return { brokers, ssl, sasl: { mechanism, username, password } as NonNullable<ClusterOptions['sasl']> };
}
