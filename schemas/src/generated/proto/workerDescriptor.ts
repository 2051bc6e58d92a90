// Generated from schemas/proto/taskflow/worker/v1/worker.proto.

import type { fromJSON } from '@grpc/proto-loader';

export const descriptor = {
  "nested": {
    "taskflow": {
      "nested": {
        "worker": {
          "nested": {
            "v1": {
              "options": {
                "go_package": "github.com/taskflow-hub/taskflow-hub/schemas/go/taskflow/worker/v1;workerv1"
              },
              "nested": {
                "WorkerService": {
                  "methods": {
                    "Describe": {
                      "requestType": "DescribeRequest",
                      "responseType": "DescribeResponse"
                    },
                    "Validate": {
                      "requestType": "ValidateRequest",
                      "responseType": "ValidateResponse"
                    },
                    "Preview": {
                      "requestType": "PreviewRequest",
                      "responseType": "PreviewResponse"
                    }
                  }
                },
                "DescribeRequest": {
                  "fields": {}
                },
                "DescribeResponse": {
                  "fields": {
                    "workerId": {
                      "type": "string",
                      "id": 1
                    },
                    "types": {
                      "rule": "repeated",
                      "type": "TaskType",
                      "id": 2
                    }
                  }
                },
                "TaskType": {
                  "fields": {
                    "name": {
                      "type": "string",
                      "id": 1
                    },
                    "version": {
                      "type": "int32",
                      "id": 2
                    },
                    "runtime": {
                      "type": "string",
                      "id": 3
                    },
                    "payloadSchema": {
                      "type": "string",
                      "id": 4
                    },
                    "resultSchema": {
                      "type": "string",
                      "id": 5
                    },
                    "defaults": {
                      "type": "TaskDefaults",
                      "id": 6
                    }
                  }
                },
                "TaskDefaults": {
                  "fields": {
                    "priority": {
                      "type": "string",
                      "id": 1
                    },
                    "timeoutMs": {
                      "type": "int32",
                      "id": 2
                    },
                    "maxAttempts": {
                      "type": "int32",
                      "id": 3
                    },
                    "backoffBaseMs": {
                      "type": "int32",
                      "id": 4
                    },
                    "backoffFactor": {
                      "type": "double",
                      "id": 5
                    },
                    "backoffCapMs": {
                      "type": "int32",
                      "id": 6
                    },
                    "notRetryable": {
                      "rule": "repeated",
                      "type": "string",
                      "id": 7
                    }
                  }
                },
                "ValidateRequest": {
                  "fields": {
                    "type": {
                      "type": "string",
                      "id": 1
                    },
                    "payload": {
                      "type": "string",
                      "id": 2
                    }
                  }
                },
                "ValidateResponse": {
                  "fields": {
                    "errors": {
                      "rule": "repeated",
                      "type": "FieldError",
                      "id": 1
                    }
                  }
                },
                "FieldError": {
                  "fields": {
                    "path": {
                      "type": "string",
                      "id": 1
                    },
                    "message": {
                      "type": "string",
                      "id": 2
                    }
                  }
                },
                "PreviewRequest": {
                  "fields": {
                    "type": {
                      "type": "string",
                      "id": 1
                    },
                    "payload": {
                      "type": "string",
                      "id": 2
                    },
                    "userId": {
                      "type": "string",
                      "id": 3
                    }
                  }
                },
                "PreviewResponse": {
                  "oneofs": {
                    "outcome": {
                      "oneof": [
                        "result",
                        "failure"
                      ]
                    }
                  },
                  "fields": {
                    "result": {
                      "type": "string",
                      "id": 1
                    },
                    "failure": {
                      "type": "TaskFailure",
                      "id": 2
                    }
                  }
                },
                "TaskFailure": {
                  "oneofs": {
                    "_details": {
                      "oneof": [
                        "details"
                      ]
                    }
                  },
                  "fields": {
                    "code": {
                      "type": "string",
                      "id": 1
                    },
                    "message": {
                      "type": "string",
                      "id": 2
                    },
                    "retryable": {
                      "type": "bool",
                      "id": 3
                    },
                    "details": {
                      "type": "string",
                      "id": 4,
                      "options": {
                        "proto3_optional": true
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
} as unknown as Parameters<typeof fromJSON>[0];
