"""Understands what a customer wants, answers from the knowledge base, and hands over to a person when it should."""
