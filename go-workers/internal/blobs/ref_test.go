package blobs

import (
	"strings"
	"testing"
	"time"
)

const (
	ann    = "00000000-0000-4000-8000-000000000001"
	bob    = "22222222-2222-4222-8222-222222222222"
	someID = "0198c5a1-7c2e-7d3f-9b1a-2f6c8e4d5a70"
)

func TestRefs(t *testing.T) {
	name := Name{time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC), ann, someID}
	ref := "2026-12-03/" + ann + "/" + someID
	if name.String() != ref {
		t.Errorf("got %s", name)
	}
	if got, ok := ParseRef(ref); !ok || got != name {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, wrong := range []string{
		"", "somewhere", "2026-12-03/" + ann, ref + "/more", "2026-12-03/" + ann + "/../../" + someID,
		"2026-02-30/" + ann + "/" + someID, "2026-13-01/" + ann + "/" + someID, strings.ToUpper(ref[:20]) + "A" + ref[21:], " " + ref, ref + "\n",
	} {
		if got, ok := ParseRef(wrong); ok {
			t.Errorf("%q is taken for %v", wrong, got)
		}
	}
}

func TestExpiry(t *testing.T) {
	for from, want := range map[string]string{"2026-11-26T12:00:00Z": "2026-12-04T00:00:00Z", "2026-11-26T00:00:00Z": "2026-12-03T00:00:00Z"} {
		now, _ := time.Parse(time.RFC3339, from)
		if got := expiry(now, 7).Format(time.RFC3339); got != want {
			t.Errorf("from %s: %s, should be %s", from, got, want)
		}
	}
}
