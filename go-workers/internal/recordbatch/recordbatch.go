// Package recordbatch reads the record batches of a fetch (message format v2).
package recordbatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A CorruptError says that a record batch cannot be read.
type CorruptError struct {
	// BaseOffset is that of the batch's first record.
	BaseOffset int64
	Err        error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("the record batch at offset %d cannot be read: %v", e.BaseOffset, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// The header of a record batch (message format v2), by the place of its fields.
const (
	atLength          = 8
	overheadBytes     = 12 // base offset and length, which the length does not count
	atLeaderEpoch     = 12
	atMagic           = 16
	atChecksum        = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atRecordCount     = 57
	headerBytes       = 61
)

const (
	compressionMask  = 0x07
	logAppendTimeBit = 0x08
	controlBit       = 0x20
)

var (
	castagnoli   = crc32.MakeTable(crc32.Castagnoli)
	decompressor = kgo.DefaultDecompressor()
	errCutOff    = errors.New("it ends in the middle of a record")
)

// A Record is what a record of a batch holds. Key and value are parts of the fetched bytes, unless these were compressed.
type Record struct {
	Offset     int64
	Key, Value []byte
	// Timestamp is in milliseconds since 1970: the broker's where its topic says so.
	Timestamp   int64
	LeaderEpoch int32
}

// Decode reads the record batches of a fetch and hands on the records that wanted asks for. The last batch may be cut
// off, offsets may have gaps (compaction), and control batches (transaction markers) hold no records of anybody. The
// checksum of each batch is verified. It gives the offset after the last whole batch, 0 where there was none. On a
// [*CorruptError] the records of the batches before it have been handed on.
func Decode(data []byte, wanted func(offset int64) bool, record func(Record)) (nextOffset int64, err error) {
	for len(data) >= overheadBytes {
		baseOffset := int64(binary.BigEndian.Uint64(data))
		length := int64(int32(binary.BigEndian.Uint32(data[atLength:])))
		end := overheadBytes + length
		if length < 0 || end < headerBytes {
			return nextOffset, &CorruptError{baseOffset, fmt.Errorf("its length is %d", length)}
		}
		if end > int64(len(data)) {
			break
		}
		batch := data[:end]
		if err := decodeBatch(batch, baseOffset, wanted, record); err != nil {
			return nextOffset, &CorruptError{baseOffset, err}
		}
		nextOffset = baseOffset + int64(int32(binary.BigEndian.Uint32(batch[atLastOffsetDelta:]))) + 1
		data = data[end:]
	}
	return nextOffset, nil
}

func decodeBatch(batch []byte, baseOffset int64, wanted func(int64) bool, record func(Record)) error {
	if magic := batch[atMagic]; magic != 2 {
		return fmt.Errorf("its format is v%d, only v2 is supported", magic)
	}
	if crc32.Checksum(batch[atAttributes:], castagnoli) != binary.BigEndian.Uint32(batch[atChecksum:]) {
		return errors.New("its checksum does not match")
	}
	attributes := binary.BigEndian.Uint16(batch[atAttributes:])
	if attributes&controlBit != 0 {
		return nil
	}
	records := batch[headerBytes:]
	if codec := attributes & compressionMask; codec != 0 {
		var err error
		if records, err = decompressor.Decompress(records, kgo.CompressionCodecType(codec)); err != nil {
			return fmt.Errorf("it cannot be decompressed: %w", err)
		}
	}
	one := Record{LeaderEpoch: int32(binary.BigEndian.Uint32(batch[atLeaderEpoch:]))}
	baseTimestamp := int64(binary.BigEndian.Uint64(batch[atBaseTimestamp:]))
	appendTime := attributes&logAppendTimeBit != 0
	for range int32(binary.BigEndian.Uint32(batch[atRecordCount:])) {
		size, n := binary.Varint(records)
		if n <= 0 || size < 0 || size > int64(len(records)-n) {
			return errCutOff
		}
		fields := fields{records[n : n+int(size)]}
		records = records[n+int(size):]
		fields.skip(1) // attributes, unused
		timestampDelta := fields.varint()
		one.Offset = baseOffset + fields.varint()
		if !wanted(one.Offset) && fields.rest != nil {
			continue
		}
		one.Timestamp = baseTimestamp + timestampDelta
		if appendTime {
			one.Timestamp = int64(binary.BigEndian.Uint64(batch[atMaxTimestamp:]))
		}
		one.Key, one.Value = fields.bytes(), fields.bytes()
		if fields.rest == nil {
			return errCutOff
		}
		record(one)
	}
	return nil
}

// fields of a record, read one after the other. After a field that does not fit rest is nil, and stays so.
type fields struct{ rest []byte }

func (f *fields) skip(n int) {
	if n > len(f.rest) {
		f.rest = nil
		return
	}
	f.rest = f.rest[n:]
}

func (f *fields) varint() int64 {
	value, n := binary.Varint(f.rest)
	if n <= 0 {
		f.rest = nil
		return 0
	}
	f.rest = f.rest[n:]
	return value
}

// bytes gives nil for null.
func (f *fields) bytes() []byte {
	size := f.varint()
	if size < 0 || f.rest == nil {
		return nil
	}
	if size > int64(len(f.rest)) {
		f.rest = nil
		return nil
	}
	value := f.rest[:size:size]
	f.rest = f.rest[size:]
	return value
}
