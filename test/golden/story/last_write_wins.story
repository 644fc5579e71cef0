Plain Redis writes decide by time. Made one after the other, the last one stands, wherever it was made.

> cluster 5
> set n1 k one
ok
> set n2 k two
ok
> set n3 k three
ok
> get n4 k
three

A plain write replaces siblings too, and so does a delete without context.

> put n1 k sibling
ok
> get n2 k
sibling, three
> set n5 k four
ok
> get n1 k
four
> delete n2 k
ok
> get n3 k
nothing

What is written after the delete lives.

> set n4 k five
ok
> get n5 k
five
