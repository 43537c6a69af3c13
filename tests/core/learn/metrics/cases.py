"""What tests of several measures draw."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def scored(draw):
    """Few distinct scores, so that ties are common; both kinds present."""
    n = draw(st.integers(2, 40))
    scores = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    defective = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda d: any(d) and not all(d)))
    return np.array(scores) / 6, np.array(defective)
