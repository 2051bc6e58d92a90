package schemas

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/twmb/avro"
)

// headerBytes stand before the Avro body of a value (Confluent wire format): a magic 0, then the schema id, big-endian.
const headerBytes = 5

// An UnknownSchemaError says that a value names a schema that the codec does not know yet: fetch it from the registry,
// give it to [Codec.Learn], decode again.
type UnknownSchemaError struct{ SchemaID uint32 }

func (e *UnknownSchemaError) Error() string {
	return fmt.Sprintf("schema %d is not known here yet: fetch it from the registry and let the codec learn it", e.SchemaID)
}

// An UnknownRecordError says that a value is intact, but holds a record that this version of the contract does not have:
// pass over it, it is no poison.
type UnknownRecordError struct {
	SchemaID   uint32
	RecordName string
}

func (e *UnknownRecordError) Error() string {
	return fmt.Sprintf("schema %d is of %s, a record that this version does not know: upgrade to read it", e.SchemaID, e.RecordName)
}

// An UndecodableError says that a value cannot be a record of the contract, whoever tries: park it as poison.
type UndecodableError struct{ Reason string }

func (e *UndecodableError) Error() string { return "the value cannot be decoded: " + e.Reason }

// A Codec turns records into bytes and back, in Confluent wire format. It does not look at a registry: ids are given,
// schemas are resolved once. It is safe for concurrent use.
type Codec struct {
	writers map[RecordName]writer
	mu      sync.RWMutex
	readers map[uint32]reader
}

type writer struct {
	id     uint32
	schema *avro.Schema
}

// A reader says how the values of one schema id are read. Without a schema they are of a record that is not known here.
type reader struct {
	name     RecordName
	schema   *avro.Schema
	fullName string
}

// NewCodec gives a codec that writes with the given schema ids, those under which the registry holds this version's schemas.
func NewCodec(ids map[RecordName]uint32) (*Codec, error) {
	codec := &Codec{writers: map[RecordName]writer{}, readers: map[uint32]reader{}}
	for name, id := range ids {
		schema, err := ownSchema(name)
		if err != nil {
			return nil, err
		}
		codec.writers[name] = writer{id, schema}
		codec.readers[id] = reader{name, schema, name.Subject()}
	}
	return codec, nil
}

// Encode gives the record's value on a topic.
func (c *Codec) Encode(record Record) ([]byte, error) {
	writer, ok := c.writers[record.RecordName()]
	if !ok {
		return nil, fmt.Errorf("%s has no schema id: publish its schema first", record.RecordName())
	}
	value := make([]byte, headerBytes, 256)
	binary.BigEndian.PutUint32(value[1:], writer.id)
	value, err := writer.schema.AppendEncode(value, record)
	if err != nil {
		return nil, fmt.Errorf("%s breaks its schema: %w", record.RecordName(), err)
	}
	return value, nil
}

// Decode gives the record, in the shape of this version of the contract whatever version wrote it. Its error is an
// [*UnknownSchemaError] (learn it and try again), an [*UnknownRecordError] (pass over it) or an [*UndecodableError] (poison).
func (c *Codec) Decode(value []byte) (Record, error) {
	id, ok := SchemaID(value)
	if !ok {
		return nil, &UndecodableError{"it does not begin with a magic 0 and a schema id"}
	}
	reader, ok := c.reader(id)
	if !ok {
		return nil, &UnknownSchemaError{id}
	}
	if reader.schema == nil {
		return nil, &UnknownRecordError{id, reader.fullName}
	}
	record := newRecord(reader.name)
	rest, err := reader.schema.Decode(value[headerBytes:], record)
	if err != nil {
		return nil, &UndecodableError{fmt.Sprintf("its body is no %s: %v", reader.name, err)}
	}
	if len(rest) > 0 {
		return nil, &UndecodableError{fmt.Sprintf("%d bytes follow its %s", len(rest), reader.name)}
	}
	return record, nil
}

// NameOf gives a record's name by its first five bytes alone; empty for a schema that is not known, or of an unknown record.
func (c *Codec) NameOf(value []byte) RecordName {
	id, ok := SchemaID(value)
	if !ok {
		return ""
	}
	reader, _ := c.reader(id)
	return reader.name
}

// Learn takes in the schema that a registry holds under an id, so that values with that id can be read, and gives the
// record's full name.
func (c *Codec) Learn(id uint32, writerSchema string) (string, error) {
	written, err := avro.Parse(writerSchema)
	if err != nil {
		return "", fmt.Errorf("schema %d cannot be read: %w", id, err)
	}
	root := written.Root()
	fullName := root.Namespace + "." + root.Name
	learned := reader{fullName: fullName}
	for _, name := range RecordNames {
		if name.Subject() != fullName {
			continue
		}
		own, err := ownSchema(name)
		if err != nil {
			return "", err
		}
		resolved, err := avro.Resolve(written, own)
		if err != nil {
			return "", fmt.Errorf("schema %d of %s cannot be read in this version's shape: %w", id, fullName, err)
		}
		learned.name, learned.schema = name, resolved
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readers[id] = learned
	return fullName, nil
}

func (c *Codec) reader(id uint32) (reader, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	found, ok := c.readers[id]
	return found, ok
}

// SchemaID gives the schema id in the first five bytes; false where the value is not in wire format.
func SchemaID(value []byte) (uint32, bool) {
	if len(value) < headerBytes || value[0] != 0 {
		return 0, false
	}
	return binary.BigEndian.Uint32(value[1:headerBytes]), true
}

var ownSchemas sync.Map // RecordName → *avro.Schema

func ownSchema(name RecordName) (*avro.Schema, error) {
	if schema, ok := ownSchemas.Load(name); ok {
		return schema.(*avro.Schema), nil
	}
	schema, err := avro.Parse(SchemaText(name))
	if err != nil {
		return nil, fmt.Errorf("the schema of %q cannot be read: %w", name, err)
	}
	ownSchemas.Store(name, schema)
	return schema, nil
}
