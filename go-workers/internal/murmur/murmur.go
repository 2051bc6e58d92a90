// Package murmur chooses partitions as Kafka's own default partitioner does, by murmur2 of the key.
package murmur

// Partition gives the partition of a key.
func Partition(key string, partitions int32) int32 {
	return int32(sum([]byte(key))&0x7fffffff) % partitions
}

// sum is MurmurHash2 with Kafka's seed.
func sum(bytes []byte) uint32 {
	const multiplier = 0x5bd1e995
	h := 0x9747b28c ^ uint32(len(bytes))
	for ; len(bytes) >= 4; bytes = bytes[4:] {
		k := uint32(bytes[0]) | uint32(bytes[1])<<8 | uint32(bytes[2])<<16 | uint32(bytes[3])<<24
		k *= multiplier
		k ^= k >> 24
		h = h*multiplier ^ k*multiplier
	}
	switch len(bytes) {
	case 3:
		h ^= uint32(bytes[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(bytes[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(bytes[0])) * multiplier
	}
	h = (h ^ h>>13) * multiplier
	return h ^ h>>15
}
