"""What a server may send, and what a user may write, given to every parser: nothing but its own refusal comes out.

The targets take octets, so that both can drive them: hypothesis in every test run, and atheris for as long as one likes
(``python -m tests.fuzz``), which looks for octets that lead to lines not seen before.
"""
