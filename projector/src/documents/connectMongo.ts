import { MongoClient } from 'mongodb';

/** A client that connects when it is first used. While the server is away, what it is asked rejects within seconds. */
export function connectMongo(url: string): MongoClient {
  return new MongoClient(url, {
    appName: 'taskflow-projector',
    serverSelectionTimeoutMS: 3_000,
    connectTimeoutMS: 3_000,
    socketTimeoutMS: 20_000,
  });
}
