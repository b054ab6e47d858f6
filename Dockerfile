# docker build -t relaxbench .
# docker run --rm -v "$PWD/results:/results" relaxbench run smoke --out demo
FROM python:3.12-slim
RUN useradd --create-home relaxbench && install -d -o relaxbench /results
COPY . /tmp/source
RUN pip install --no-cache-dir -c /tmp/source/constraints.txt '/tmp/source[data,networks]' && rm -r /tmp/source
USER relaxbench
WORKDIR /results
VOLUME /results
ENTRYPOINT ["relaxbench"]
CMD ["--help"]
