package blobs

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A Name says all of a blob that must be known before anyone asks the store: its reference is <day>/<userId>/<id>, the day (UTC) being
// the one at whose beginning the blob expires. service/src/blobRef.ts names blobs likewise.
type Name struct {
	ExpiresAt  time.Time
	UserID, ID string
}

const (
	dayFormat = "2006-01-02"
	day       = 24 * time.Hour
	uuid      = `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`
	// RefPattern is what a reference looks like, for the schemas of payloads.
	RefPattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}/` + uuid + `/` + uuid + `$`
)

var refPattern = regexp.MustCompile(RefPattern)

func (name Name) String() string {
	return fmt.Sprintf("%s/%s/%s", name.ExpiresAt.UTC().Format(dayFormat), name.UserID, name.ID)
}

// ParseRef gives what a reference says; false where it is none.
func ParseRef(ref string) (Name, bool) {
	if !refPattern.MatchString(ref) {
		return Name{}, false
	}
	parts := strings.Split(ref, "/")
	expiresAt, err := time.Parse(dayFormat, parts[0])
	return Name{expiresAt, parts[1], parts[2]}, err == nil
}

// expiry is when a blob expires that is kept for so many days: at the first midnight after them.
func expiry(now time.Time, keepDays int) time.Time {
	at := now.UTC().Add(time.Duration(keepDays) * day)
	midnight := at.Truncate(day)
	if midnight.Before(at) {
		midnight = midnight.Add(day)
	}
	return midnight
}
