# Untested: it was never built, for want of Docker. An image for training on CPUs; see docs/install.md.
#
#     docker build --build-arg CPU_INDEX=… --tag autoreg .
#     docker run --rm --shm-size=2g --volume "$PWD:/work" autoreg sweep quickstart
FROM python:3.11-slim
# PyTorch's index of builds for CPUs, as the selector on pytorch.org prints it; without it, PyTorch brings CUDA along.
ARG CPU_INDEX=
# A C compiler is what the compiled kernel of AlexNet needs.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
RUN if [ -n "$CPU_INDEX" ]; then \
        pip install --no-cache-dir -c constraints.txt torch torchvision --index-url "$CPU_INDEX"; \
    fi && pip install --no-cache-dir -c constraints.txt .
WORKDIR /work
ENTRYPOINT ["autoreg"]
