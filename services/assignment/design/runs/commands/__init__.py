"""What changes design runs: asking for one, taking it, telling how far it is, cancelling, ending, deleting it."""
