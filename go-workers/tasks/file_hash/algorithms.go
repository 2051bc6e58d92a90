package file_hash

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"hash"
	"hash/crc32"
	"hash/crc64"

	"github.com/zeebo/blake3"
	"golang.org/x/crypto/blake2b"
)

// algorithms by their names in payloads. MD5, SHA-1 and the CRCs are there to compare with what others publish, not to trust.
var algorithms = map[string]func() hash.Hash{
	"sha256":   sha256.New,
	"sha512":   sha512.New,
	"sha1":     sha1.New,
	"md5":      md5.New,
	"sha3-256": func() hash.Hash { return sha3.New256() },
	"blake3":   func() hash.Hash { return blake3.New() },
	"blake2b": func() hash.Hash {
		unkeyed, _ := blake2b.New512(nil) // fails for keys only
		return unkeyed
	},
	"crc32":  func() hash.Hash { return crc32.NewIEEE() },
	"crc32c": func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	// As S3 has it: the NVMe polynomial, reflected.
	"crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) },
}
