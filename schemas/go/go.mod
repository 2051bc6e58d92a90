module github.com/taskflow-hub/taskflow-hub/schemas/go

go 1.25

require github.com/twmb/avro v1.9.0
