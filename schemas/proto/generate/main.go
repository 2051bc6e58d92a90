// Writes the Go code of schemas/proto into schemas/go: `go run .` in this folder. Its tests hold the checked-in code to the .proto
// files, these to the rules of the house, and to what was released. A compiler in Go, so that nothing has to be installed for it.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Where things lie, from this folder.
const (
	protoFolder    = ".."
	goFolder       = "../../go"
	releasedFolder = "../../released"
)

func main() {
	if err := write(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(ctx context.Context) error {
	files, err := compile(ctx, protoFolder)
	if err != nil {
		return err
	}
	texts, err := generate(ctx, descriptors(files))
	if err != nil {
		return err
	}
	for name, text := range texts {
		path := filepath.Join(goFolder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
