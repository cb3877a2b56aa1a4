s/o/0/g
