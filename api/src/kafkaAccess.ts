import type { ClusterOptions } from '@taskflow/log/cluster';
import type { ConfigOf, kafkaSettings } from '@taskflow/service/settings';

/** What the settings of Kafka mean for a connection. */
export function kafkaAccess(config: ConfigOf<typeof kafkaSettings>): Pick<ClusterOptions, 'brokers' | 'ssl' | 'sasl'> {
  const { brokers, kafkaTls: ssl, kafkaSaslMechanism: mechanism, kafkaUsername, kafkaPassword } = config;
  if (mechanism === 'none') return { brokers, ssl };
  const account = { username: kafkaUsername ?? '', password: kafkaPassword ?? '' };
  return { brokers, ssl, sasl: { mechanism, ...account } };
}
