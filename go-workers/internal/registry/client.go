// Package registry publishes the contract's schemas and learns those of other versions, by the REST interface that Confluent
// defined (Apicurio has it at /apis/ccompat/v7).
package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	requestTimeout = 5 * time.Second
	maxAnswerBytes = 4 << 20
	contentType    = "application/vnd.schemaregistry.v1+json"
	compatibility  = "FULL_TRANSITIVE"
)

// An UnavailableError says that the registry does not answer, or not sensibly. Known schemas go on without it.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string {
	return "the schema registry does not answer: " + e.Err.Error()
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// errNotFound: the registry answers that it has no such thing.
var errNotFound = errors.New("not found")

// A client of a registry. Repetition is the caller's, who knows for how long.
type client struct {
	url  *url.URL
	http http.Client
}

func newClient(text string) (*client, error) {
	parsed, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil {
		return nil, fmt.Errorf("the registry's URL: %w", err)
	}
	return &client{url: parsed, http: http.Client{Timeout: requestTimeout}}, nil
}

// publish gives the id of a record's schema of this version of the contract, registered under its full name
// (RecordNameStrategy) where it is not yet. A new version must be compatible with all before it, in both directions.
func (c *client) publish(ctx context.Context, name schemas.RecordName) (uint32, error) {
	var found struct {
		ID uint32 `json:"id"`
	}
	subject := "/subjects/" + url.PathEscape(name.Subject())
	schema := map[string]string{"schema": schemas.SchemaText(name), "schemaType": "AVRO"}
	err := c.call(ctx, http.MethodPost, subject, schema, &found)
	if !errors.Is(err, errNotFound) {
		return found.ID, err
	}
	setting := map[string]string{"compatibility": compatibility}
	if err := c.call(ctx, http.MethodPut, "/config/"+url.PathEscape(name.Subject()), setting, nil); err != nil {
		return 0, fmt.Errorf("compatibility of %s: %w", name, err)
	}
	if err := c.call(ctx, http.MethodPost, subject+"/versions", schema, &found); err != nil {
		return 0, fmt.Errorf("registration of %s: %w", name, err)
	}
	return found.ID, nil
}

// schema gives the text of the schema under an id; errNotFound where there is none, or one that is not Avro.
func (c *client) schema(ctx context.Context, id uint32) (string, error) {
	var found struct {
		Schema     string `json:"schema"`
		SchemaType string `json:"schemaType"`
	}
	if err := c.call(ctx, http.MethodGet, fmt.Sprintf("/schemas/ids/%d", id), nil, &found); err != nil {
		return "", fmt.Errorf("schema %d: %w", id, err)
	}
	if found.SchemaType != "" && found.SchemaType != "AVRO" {
		return "", fmt.Errorf("schema %d is %s: %w", id, found.SchemaType, errNotFound)
	}
	return found.Schema, nil
}

func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url.String()+path, payload)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", contentType+", application/json")
	answer, err := c.http.Do(request)
	if err != nil {
		return &UnavailableError{err}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswerBytes))
	if err != nil {
		return &UnavailableError{err}
	}
	switch {
	case answer.StatusCode == http.StatusNotFound:
		return errNotFound
	case isFinal(answer.StatusCode):
		return fmt.Errorf("%s %s: status %d: %.500s", method, path, answer.StatusCode, text)
	case answer.StatusCode != http.StatusOK:
		return &UnavailableError{fmt.Errorf("%s %s: status %d: %.500s", method, path, answer.StatusCode, text)}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return &UnavailableError{fmt.Errorf("%s %s: %w", method, path, err)}
	}
	return nil
}

// isFinal: the answer stays the same however often one asks.
func isFinal(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity:
		return true
	}
	return false
}
