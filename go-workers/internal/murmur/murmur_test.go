package murmur

import "testing"

// The examples are those of Kafka's own tests.
func TestSum(t *testing.T) {
	for key, want := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
	} {
		if got := int32(sum([]byte(key))); got != want {
			t.Errorf("sum(%q) = %d, want %d", key, got, want)
		}
	}
}
