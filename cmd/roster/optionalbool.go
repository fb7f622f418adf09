package main

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"roster/domain/field"
)

// optionalBool is a flag that is true, false or not given.
type optionalBool struct{ value *bool }

func triState(cmd *cobra.Command, name, help string) *optionalBool {
	b := &optionalBool{}
	cmd.Flags().VarPF(b, name, "", help).NoOptDefVal = "true"
	return b
}

// member returns the flag as a member of a user.
func (b *optionalBool) member() field.Text {
	if b.value == nil {
		return field.Text{}
	}
	return field.Bool(*b.value)
}

// String implements pflag.Value.
func (b *optionalBool) String() string {
	if b.value == nil {
		return ""
	}
	return strconv.FormatBool(*b.value)
}

// Set implements pflag.Value.
func (b *optionalBool) Set(text string) error {
	v, err := strconv.ParseBool(text)
	if err != nil {
		return errors.New("must be true or false")
	}
	b.value = &v
	return nil
}

// Type implements pflag.Value.
func (b *optionalBool) Type() string { return "bool" }

// IsBoolFlag tells pflag that the flag needs no value.
func (b *optionalBool) IsBoolFlag() bool { return true }
