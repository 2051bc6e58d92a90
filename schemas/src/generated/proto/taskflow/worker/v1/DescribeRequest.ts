// Original file: schemas/proto/taskflow/worker/v1/worker.proto


/**
 * Asks for the types of a worker.
 */
export interface DescribeRequest {
}

/**
 * Asks for the types of a worker.
 */
export interface DescribeRequest__Output {
}
