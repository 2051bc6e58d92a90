package worker

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// maxResultDepth: results that nest deeper are refused by document stores.
const maxResultDepth = 64

// unstorable: a NUL, or half a surrogate pair (or a whole one, which is looked at for nothing), as JSON text writes them.
var unstorable = regexp.MustCompile(`\\u(?:0000|[dD][89a-fA-F])`)

// cleanJSON is the JSON text of a value that every store takes: PostgreSQL refuses NUL in texts, and no UTF-8 holds half a surrogate
// pair; both become U+FFFD, in keys as well.
func cleanJSON(value any) (string, error) {
	text, err := marshal(value)
	if err != nil || !unstorable.MatchString(text) {
		return text, err
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return "", err
	}
	return marshal(cleaned(decoded))
}

func marshal(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

// cleanText is the same for a text by itself.
func cleanText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

func cleaned(value any) any {
	switch value := value.(type) {
	case string:
		return cleanText(value)
	case []any:
		for i, inner := range value {
			value[i] = cleaned(inner)
		}
	case map[string]any:
		clean := make(map[string]any, len(value))
		for key, inner := range value {
			clean[cleanText(key)] = cleaned(inner)
		}
		return clean
	}
	return value
}

// jsonDepth is how deep JSON text nests: [] and {} are 1, a bare value 0.
func jsonDepth(text string) int {
	depth, deepest := 0, 0
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}
