package sharequeue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A CorruptBatchError says that a record batch cannot be read.
type CorruptBatchError struct {
	// BaseOffset is that of the batch's first record.
	BaseOffset int64
	Err        error
}

func (e *CorruptBatchError) Error() string {
	return fmt.Sprintf("the record batch at offset %d cannot be read: %v", e.BaseOffset, e.Err)
}

func (e *CorruptBatchError) Unwrap() error { return e.Err }

// The header of a record batch (message format v2), by the place of its fields.
const (
	batchLength          = 8
	batchOverhead        = 12 // base offset and length, which the length does not count
	batchLeaderEpoch     = 12
	batchMagic           = 16
	batchChecksum        = 17
	batchAttributes      = 21
	batchLastOffsetDelta = 23
	batchBaseTimestamp   = 27
	batchMaxTimestamp    = 35
	batchRecordCount     = 57
	batchHeader          = 61
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

// A batchRecord is what a record of a batch holds. Key and value are parts of the fetched bytes, unless these were compressed.
type batchRecord struct {
	offset      int64
	key, value  []byte
	timestamp   int64
	leaderEpoch int32
}

// decodeBatches reads the record batches of a fetch and hands on the records that wanted asks for. The last batch may be cut
// off, offsets may have gaps (compaction), and control batches (transaction markers) hold no records of anybody. The
// checksum of each batch is verified. It gives the offset after the last whole batch, 0 where there was none. On a
// [*CorruptBatchError] the records of the batches before it have been handed on.
func decodeBatches(data []byte, wanted func(offset int64) bool, record func(batchRecord)) (nextOffset int64, err error) {
	for len(data) >= batchOverhead {
		baseOffset := int64(binary.BigEndian.Uint64(data))
		length := int64(int32(binary.BigEndian.Uint32(data[batchLength:])))
		end := batchOverhead + length
		if length < 0 || end < batchHeader {
			return nextOffset, &CorruptBatchError{baseOffset, fmt.Errorf("its length is %d", length)}
		}
		if end > int64(len(data)) {
			break
		}
		batch := data[:end]
		if err := decodeBatch(batch, baseOffset, wanted, record); err != nil {
			return nextOffset, &CorruptBatchError{baseOffset, err}
		}
		nextOffset = baseOffset + int64(int32(binary.BigEndian.Uint32(batch[batchLastOffsetDelta:]))) + 1
		data = data[end:]
	}
	return nextOffset, nil
}

func decodeBatch(batch []byte, baseOffset int64, wanted func(int64) bool, record func(batchRecord)) error {
	if magic := batch[batchMagic]; magic != 2 {
		return fmt.Errorf("its format is v%d, only v2 is supported", magic)
	}
	if crc32.Checksum(batch[batchAttributes:], castagnoli) != binary.BigEndian.Uint32(batch[batchChecksum:]) {
		return errors.New("its checksum does not match")
	}
	attributes := binary.BigEndian.Uint16(batch[batchAttributes:])
	if attributes&controlBit != 0 {
		return nil
	}
	records := batch[batchHeader:]
	if codec := attributes & compressionMask; codec != 0 {
		var err error
		if records, err = decompressor.Decompress(records, kgo.CompressionCodecType(codec)); err != nil {
			return fmt.Errorf("it cannot be decompressed: %w", err)
		}
	}
	one := batchRecord{leaderEpoch: int32(binary.BigEndian.Uint32(batch[batchLeaderEpoch:]))}
	baseTimestamp := int64(binary.BigEndian.Uint64(batch[batchBaseTimestamp:]))
	appendTime := attributes&logAppendTimeBit != 0
	for range int32(binary.BigEndian.Uint32(batch[batchRecordCount:])) {
		size, n := binary.Varint(records)
		if n <= 0 || size < 0 || size > int64(len(records)-n) {
			return errCutOff
		}
		fields := fields{records[n : n+int(size)]}
		records = records[n+int(size):]
		fields.skip(1) // attributes, unused
		timestampDelta := fields.varint()
		one.offset = baseOffset + fields.varint()
		if !wanted(one.offset) && fields.rest != nil {
			continue
		}
		one.timestamp = baseTimestamp + timestampDelta
		if appendTime {
			one.timestamp = int64(binary.BigEndian.Uint64(batch[batchMaxTimestamp:]))
		}
		one.key, one.value = fields.bytes(), fields.bytes()
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
