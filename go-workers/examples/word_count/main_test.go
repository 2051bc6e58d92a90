package main

import (
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task/tasktest"
)

func TestWordCount(t *testing.T) {
	var said tasktest.Said
	counted, err := tasktest.Run(t, t.Context(), wordCount, payload{"one two"}, tasktest.Options{Said: &said})
	if err != nil || counted != (result{2}) {
		t.Errorf("counted: %v, %v", counted, err)
	}
	if lines := said.Lines(); len(lines) != 1 || lines[0] != "level=INFO msg=counting bytes=7" {
		t.Errorf("logged: %q", lines)
	}
	tasktest.HoldSchema(t, wordCount, []string{`{"text":""}`}, []string{`{}`, `{"text":1}`, `{"text":"a","more":1}`})
}
