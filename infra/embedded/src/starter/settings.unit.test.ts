import { expect } from 'chai';
import { readSettings, SettingsError } from './settings.ts';

describe('readSettings', () => {
  const read = (environment: Record<string, string> = {}) => readSettings(environment, '/repository');

  it('has a default for everything', () => {
    expect(read()).to.deep.equal({
      stateDir: '/repository/.taskflow',
      logDir: '/repository/.taskflow/logs',
      ports: {
        api: 8080,
        kafka: 29092,
        kafkaController: 29093,
        registry: 28081,
        postgres: 25432,
        mongo: 27027,
        redis: 26379,
        s3: 29000,
        status: 9100,
        grpc: 9300,
      },
      postgresUrl: 'postgres://taskflow:taskflow@127.0.0.1:25432/taskflow',
      mongoDatabase: 'taskflow',
      s3: { bucket: 'taskflow', region: 'us-east-1', accessKey: 'taskflow', secretKey: 'taskflow-local' },
      workers: 2,
      goWorkers: 1,
    });
  });

  it('takes the ports of the embedded servers from the addresses that clients are given', () => {
    const { ports, postgresUrl, mongoDatabase, s3 } = read({
      TASKFLOW_KAFKA_BROKERS: '127.0.0.1:19092',
      TASKFLOW_REGISTRY_URL: 'http://localhost:18081/apis/ccompat/v7',
      TASKFLOW_POSTGRES_URL: 'postgres://me:secret@127.0.0.1:15432/tasks',
      TASKFLOW_MONGO_URL: 'mongodb://127.0.0.1:17017/views',
      TASKFLOW_REDIS_URL: 'redis://127.0.0.1:16379',
      TASKFLOW_S3_URL: 'http://127.0.0.1:19000',
      TASKFLOW_S3_BUCKET: 'bytes',
    });
    expect(ports).to.include({ kafka: 19092, kafkaController: 19093, registry: 18081 });
    expect(ports).to.include({ postgres: 15432, mongo: 17017, redis: 16379, s3: 19000 });
    expect(s3.bucket).to.equal('bytes');
    expect(postgresUrl).to.equal('postgres://me:secret@127.0.0.1:15432/tasks');
    expect(mongoDatabase).to.equal('views');
  });

  it('counts an empty variable as unset', () => {
    expect(read({ TASKFLOW_WORKERS: '' }).workers).to.equal(2);
  });

  it('takes a state folder from the root of the repository, or an absolute one', () => {
    expect(read({ TASKFLOW_STATE_DIR: 'elsewhere' }).stateDir).to.equal('/repository/elsewhere');
    expect(read({ TASKFLOW_STATE_DIR: '/elsewhere' }).stateDir).to.equal('/elsewhere');
  });

  for (const [variable, value] of Object.entries({
    TASKFLOW_API_PORT: '80a',
    TASKFLOW_KAFKA_BROKERS: 'kafka.example:9092',
    TASKFLOW_KAFKA_CONTROLLER_PORT: '70000',
    TASKFLOW_REGISTRY_URL: 'http://127.0.0.1',
    TASKFLOW_POSTGRES_URL: 'postgres://127.0.0.1:25432/taskflow',
    TASKFLOW_MONGO_URL: 'mongo',
    TASKFLOW_REDIS_URL: 'redis://10.0.0.1:6379',
    TASKFLOW_S3_URL: 'https://s3.example',
    TASKFLOW_S3_BUCKET: '../elsewhere',
    TASKFLOW_STATUS_BASE_PORT: '-1',
    TASKFLOW_WORKERS: '1.5',
    TASKFLOW_GO_WORKERS: 'some',
  })) {
    it(`refuses ${variable}=${value} with one line that begins with the variable`, () => {
      expect(() => read({ [variable]: value })).to.throw(SettingsError, new RegExp(`^${variable} .+$`));
    });
  }
});
