package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// module is the Go module that the generated code belongs to; names of files are given from its root.
const module = "github.com/taskflow-hub/taskflow-hub/schemas/go"

// plugins are the generators of protobuf and gRPC for Go, tools of this module, with what they are told.
var plugins = map[string]string{
	"protoc-gen-go":      "module=" + module,
	"protoc-gen-go-grpc": "module=" + module,
}

// generate gives the text of each generated file. The files must not import any but each other.
func generate(ctx context.Context, files []*descriptorpb.FileDescriptorProto) (map[string]string, error) {
	texts := map[string]string{}
	for plugin, parameter := range plugins {
		request := &pluginpb.CodeGeneratorRequest{Parameter: &parameter, ProtoFile: files}
		for _, file := range files {
			request.FileToGenerate = append(request.FileToGenerate, file.GetName())
		}
		response, err := run(ctx, plugin, request)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", plugin, err)
		}
		for _, file := range response.File {
			texts[file.GetName()] = file.GetContent()
		}
	}
	return texts, nil
}

func run(ctx context.Context, plugin string, request *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	input, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	var output, failure bytes.Buffer
	command := exec.CommandContext(ctx, "go", "tool", plugin)
	command.Env = append(os.Environ(), "GOWORK=off")
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &output, &failure
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(failure.String()))
	}
	response := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(output.Bytes(), response); err != nil {
		return nil, err
	}
	if response.Error != nil {
		return nil, errors.New(response.GetError())
	}
	return response, nil
}
