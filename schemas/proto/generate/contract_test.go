package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile/linker"
)

func compiled(t *testing.T, root string) linker.Files {
	t.Helper()
	files, err := compile(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTheGeneratedCodeIsFresh(t *testing.T) {
	texts, err := generate(t.Context(), descriptors(compiled(t, protoFolder)))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		checkedIn, err := os.ReadFile(filepath.Join(goFolder, name))
		if err != nil || string(checkedIn) != text {
			t.Errorf("%s is stale, run `make generate` (%v)", name, err)
		}
	}
	err = fs.WalkDir(os.DirFS(goFolder), ".", func(name string, _ fs.DirEntry, err error) error {
		if _, generated := texts[name]; strings.HasSuffix(name, ".pb.go") && !generated {
			t.Errorf("%s is generated from no file any more, delete it", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTheFilesKeepTheRules(t *testing.T) {
	for _, file := range compiled(t, protoFolder) {
		for _, fault := range lint(file) {
			t.Error(fault)
		}
	}
}

func TestNothingReleasedIsBroken(t *testing.T) {
	now := compiled(t, protoFolder)
	versions, err := filepath.Glob(filepath.Join(releasedFolder, "*", "proto"))
	if err != nil || len(versions) == 0 {
		t.Fatalf("there is no release to be checked against: %v", err)
	}
	for _, version := range versions {
		for _, released := range compiled(t, version) {
			file := now.FindFileByPath(released.Path())
			if file == nil {
				t.Errorf("%s of %s is gone", released.Path(), version)
				continue
			}
			for _, fault := range breaking(released, file) {
				t.Errorf("not compatible with %s: %s", version, fault)
			}
		}
	}
}

// changed is the contract of the worker with one text in place of another.
func changed(t *testing.T, from, to string) linker.File {
	t.Helper()
	const name = "taskflow/worker/v1/worker.proto"
	text, err := os.ReadFile(filepath.Join(protoFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("the contract does not say %q", from)
	}
	folder := t.TempDir()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, to)), 0o644); err != nil {
		t.Fatal(err)
	}
	return compiled(t, folder)[0]
}

func TestWhatBreaksIsFound(t *testing.T) {
	now := compiled(t, protoFolder)[0]
	for name, test := range map[string]struct {
		from, to string
		want     string // empty: nothing breaks
	}{
		"a field more":             {"string user_id = 3;", "string user_id = 3;\nstring more = 4;", ""},
		"another comment":          {"// A task to be run at once.", "// A task to be run now.", ""},
		"a method more":            {"// Holds a payload", "// More.\nrpc More(DescribeRequest) returns (DescribeResponse);\n// Holds a payload", ""},
		"another number":           {"string user_id = 3;", "string user_id = 4;", "PreviewRequest.user_id: is gone"},
		"another type":             {"int32 timeout_ms = 2;", "int64 timeout_ms = 2;", "TaskDefaults.timeout_ms: was"},
		"another name":             {"string user_id = 3;", "string user = 3;", "PreviewRequest.user_id: was"},
		"a list no more":           {"repeated string not_retryable", "string not_retryable", "TaskDefaults.not_retryable: was"},
		"presence":                 {"optional string details", "string details", "TaskFailure.details: was"},
		"another method name":      {"rpc Preview(", "rpc Run(", "WorkerService.Preview: is gone"},
		"a stream":                 {"returns (PreviewResponse)", "returns (stream PreviewResponse)", "WorkerService.Preview: was"},
		"another service":          {"service WorkerService", "service PilotService", "WorkerService: is gone"},
		"another message":          {"TaskFailure", "Failure", "TaskFailure: is gone"},
		"another package":          {"package taskflow.worker.v1;", "package taskflow.worker.v2;", "the package is now"},
		"a field out of its oneof": {"oneof outcome {\n    // The result as JSON text.\n    string result = 1;", "string result = 1;\noneof outcome {", "PreviewResponse.result: was"},
	} {
		t.Run(name, func(t *testing.T) {
			faults := breaking(now, changed(t, test.from, test.to))
			if test.want == "" && len(faults) > 0 {
				t.Errorf("it is taken to break: %q", faults)
			}
			if test.want != "" && !slices.ContainsFunc(faults, func(fault string) bool { return strings.Contains(fault, test.want) }) {
				t.Errorf("%q is not among %q", test.want, faults)
			}
		})
	}
}

func TestWhatIsNotWellWrittenIsFound(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"a field without a comment":   {"  // The id of the user for whom it runs, as handlers see it.\n", "", "PreviewRequest.user_id: has no comment"},
		"a message without a comment": {"// A task to be run at once.\n", "", "PreviewRequest: has no comment"},
		"a oneof without a comment":   {"  // Either of the two.\n", "", "PreviewResponse.outcome: has no comment"},
		"a method without a comment":  {"  // Says which task types this worker runs, with their schemas and defaults.\n", "", "WorkerService.Describe: has no comment"},
		"camel case":                  {"user_id = 3", "userId = 3", "PreviewRequest.userId: the name must be in snake_case"},
		"a shared request":            {"rpc Preview(PreviewRequest)", "rpc Preview(ValidateRequest)", "its request must be a message of its own"},
		"a package without version":   {"package taskflow.worker.v1;", "package taskflow.worker;", "the package must fit"},
		"a file in the wrong folder":  {"package taskflow.worker.v1;", "package taskflow.other.v1;", "must lie in taskflow/other/v1"},
		"an enum":                     {"// A task to be run at once.", "enum Color {\n  RED = 0;\n}\n// A task to be run at once.", "Color: texts stand for values"},
	} {
		t.Run(name, func(t *testing.T) {
			faults := lint(changed(t, test.from, test.to))
			if !slices.ContainsFunc(faults, func(fault string) bool { return strings.Contains(fault, test.want) }) {
				t.Errorf("%q is not among %q", test.want, faults)
			}
		})
	}
}
