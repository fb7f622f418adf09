// Package console is what the commands of a program show to and ask of its operator: text that cannot steer a
// terminal, tables, lines of JSON, progress and questions.
package console
