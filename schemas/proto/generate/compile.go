package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/types/descriptorpb"
)

// protoFiles are the .proto files below a folder, as imports name them.
func protoFiles(root string) ([]string, error) {
	var names []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(name) == ".proto" {
			names = append(names, name)
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

// compile reads all .proto files below a folder, with their comments.
func compile(ctx context.Context, root string) (linker.Files, error) {
	names, err := protoFiles(root)
	if err != nil {
		return nil, err
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{root}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", root, err)
	}
	return files, nil
}

func descriptors(files linker.Files) []*descriptorpb.FileDescriptorProto {
	protos := make([]*descriptorpb.FileDescriptorProto, len(files))
	for i, file := range files {
		protos[i] = protoutil.ProtoFromFileDescriptor(file)
	}
	return protos
}
