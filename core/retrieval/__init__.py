"""Finding the entries of a knowledge base that answer a question: words, vectors, and when there is no answer."""
