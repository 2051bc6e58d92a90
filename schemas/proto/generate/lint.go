package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

var (
	packagePattern = regexp.MustCompile(`^taskflow(\.[a-z][a-z0-9]*)+\.v[1-9]\d*$`)
	titlePattern   = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	fieldPattern   = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
)

// lint says where a file is not as the files of this repository are: the rules of `buf lint` that matter here, and that everything
// has a comment.
func lint(file protoreflect.FileDescriptor) (faults []string) {
	say := func(what protoreflect.Descriptor, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s: ", what.FullName())+fmt.Sprintf(format, args...))
	}
	commented := func(what protoreflect.Descriptor) {
		if strings.TrimSpace(file.SourceLocations().ByDescriptor(what).LeadingComments) == "" {
			say(what, "has no comment")
		}
	}
	if file.Syntax() != protoreflect.Proto3 {
		say(file, "must be proto3")
	}
	if !packagePattern.MatchString(string(file.Package())) {
		say(file, "the package must fit %s", packagePattern)
	}
	if folder := strings.ReplaceAll(string(file.Package()), ".", "/"); path.Dir(file.Path()) != folder {
		say(file, "must lie in %s", folder)
	}
	for service := range each(file.Services()) {
		commented(service)
		if !titlePattern.MatchString(string(service.Name())) || !strings.HasSuffix(string(service.Name()), "Service") {
			say(service, "the name must be in PascalCase and end with Service")
		}
		for method := range each(service.Methods()) {
			commented(method)
			if !titlePattern.MatchString(string(method.Name())) {
				say(method, "the name must be in PascalCase")
			}
			if input, want := method.Input(), string(method.Name())+"Request"; string(input.Name()) != want {
				say(method, "its request must be a message of its own, %s", want)
			}
			if output, want := method.Output(), string(method.Name())+"Response"; string(output.Name()) != want {
				say(method, "its response must be a message of its own, %s", want)
			}
		}
	}
	for message := range each(file.Messages()) {
		commented(message)
		if !titlePattern.MatchString(string(message.Name())) {
			say(message, "the name must be in PascalCase")
		}
		if message.Messages().Len()+message.Enums().Len() > 0 {
			say(message, "messages and enums stand by themselves, not in others")
		}
		for field := range each(message.Fields()) {
			commented(field)
			if !fieldPattern.MatchString(string(field.Name())) {
				say(field, "the name must be in snake_case")
			}
		}
		for oneof := range each(message.Oneofs()) {
			if !oneof.IsSynthetic() {
				commented(oneof)
			}
		}
	}
	for enum := range each(file.Enums()) {
		say(enum, "texts stand for values that may be more one day, as in the events")
	}
	return faults
}
