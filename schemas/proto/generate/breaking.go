package main

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// breaking says what a client or server of the released file could not bear of the new one, on the wire or in its JSON. Comments and
// order are free, and so is whatever is added.
func breaking(released, now protoreflect.FileDescriptor) (faults []string) {
	say := func(what protoreflect.Descriptor, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s: ", what.FullName())+fmt.Sprintf(format, args...))
	}
	if released.Package() != now.Package() {
		say(released, "the package is now %s", now.Package())
	}
	for service := range each(released.Services()) {
		newService := now.Services().ByName(service.Name())
		if newService == nil {
			say(service, "is gone")
			continue
		}
		for method := range each(service.Methods()) {
			newMethod := newService.Methods().ByName(method.Name())
			if newMethod == nil {
				say(method, "is gone")
			} else if signature(method) != signature(newMethod) {
				say(method, "was %s and is %s", signature(method), signature(newMethod))
			}
		}
	}
	for message := range each(released.Messages()) {
		newMessage := now.Messages().ByName(message.Name())
		if newMessage == nil {
			say(message, "is gone")
			continue
		}
		for field := range each(message.Fields()) {
			newField := newMessage.Fields().ByNumber(field.Number())
			if newField == nil {
				say(field, "is gone; leave it, and say that nothing writes it any more")
			} else if form(field) != form(newField) {
				say(field, "was %q and is %q", form(field), form(newField))
			}
		}
	}
	return faults
}

func signature(method protoreflect.MethodDescriptor) string {
	stream := map[bool]string{true: "stream "}
	return fmt.Sprintf("(%s%s) returns (%s%s)", stream[method.IsStreamingClient()], method.Input().FullName(),
		stream[method.IsStreamingServer()], method.Output().FullName())
}

func form(field protoreflect.FieldDescriptor) string {
	kind := field.Kind().String()
	if message := field.Message(); message != nil {
		kind = string(message.FullName())
	}
	oneof := ""
	if of := field.ContainingOneof(); of != nil && !of.IsSynthetic() {
		oneof = fmt.Sprintf(" of oneof %s", of.Name())
	}
	presence := map[bool]string{true: " with presence"}
	return fmt.Sprintf("%s %s %s = %d%s%s", field.Cardinality(), kind, field.Name(), field.Number(), presence[field.HasPresence()], oneof)
}
