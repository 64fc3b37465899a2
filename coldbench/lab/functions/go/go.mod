module coldbench/functions

go 1.19

require coldbench/shims v0.0.0

replace coldbench/shims => ../../../evidence/shims
